"""Stages of the pipeline beside the studies: each writes one file of the analyses."""
