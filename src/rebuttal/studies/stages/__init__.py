"""Stages of the pipeline that write one analysis each, from trained runs or from runs of real processes."""
