"""What an account costs the confirmation of an order, beside what people would do.

`make bench` measures; `results/` holds what came out.
"""
