def processing(variant, layout, config): return None
