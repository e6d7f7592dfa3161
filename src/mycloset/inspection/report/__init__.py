"""What a person sees of an analysis: card, table, summary, key tree, and a page for the browser."""
