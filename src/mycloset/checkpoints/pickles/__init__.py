"""A pickle reader that executes nothing: it walks opcodes and describes what they would make."""
