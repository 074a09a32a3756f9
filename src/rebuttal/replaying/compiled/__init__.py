"""Whole orders in one compiled call: chains of common layers, their updates and evaluations, without Python between.

`layer_chain` and `order_tape` describe a model and an order by arrays, `machine_code` computes with them (numba), and
`whole_orders` decides what is served and hands it over. numba is imported by `machine_code` alone, when something is
computed: its import takes about a second.
"""
