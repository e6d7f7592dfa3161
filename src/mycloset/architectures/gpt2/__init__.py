"""GPT-2: text, no pictures; known because its files lie among models of pictures."""
