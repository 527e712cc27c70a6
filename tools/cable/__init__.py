"""A compact solver of the cable equation and the recipe of the bank of cells.

Only needed to remake the bank; simulating scenes reads the bank's file.
"""
