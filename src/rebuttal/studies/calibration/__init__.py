"""The virtual clock against the real one, on this host.

`probes` are small programs that run as any method does; `host` reads off their records what this host costs, and
`pricing` makes a virtual machine of it. `runs` has one run on both clocks, `grid` says which runs there are, and
`campaign` goes through all of them and writes results/calibration.nc.
"""
