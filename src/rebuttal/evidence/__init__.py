"""From result files to intervals, speed-ups and verdicts: numpy, scipy and xarray only."""
