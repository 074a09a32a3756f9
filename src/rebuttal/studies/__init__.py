"""Studies: what is run for a paper, on what and how often. The one place where methods, workloads and machines meet."""
