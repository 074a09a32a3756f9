"""Questions that need no training: where a model's time and bytes are, and what a method's form makes of them.

Each function takes the layers of models and machines, and gives an xarray.Dataset with units, ready for a chart. Its
seconds are modelled; `clock` among the attributes says so.
"""
