"""A method on a virtual machine: the cluster with its clock, and what is read off its timelines."""
