"""The ground that every room stands on: errors, paths, seeds, YAML files, devices. It knows nothing of training."""
