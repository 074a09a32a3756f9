"""Certificates: a rerun held against reference results, in a folder that anyone can check without training."""
