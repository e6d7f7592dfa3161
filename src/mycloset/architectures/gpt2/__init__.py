"""GPT-2: a language model; none that dresses anybody, but found among try-on files."""
