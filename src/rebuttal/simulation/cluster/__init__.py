"""Clusters run programs and write timelines. Here: the virtual one, on a virtual clock."""
