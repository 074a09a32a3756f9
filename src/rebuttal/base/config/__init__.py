"""YAML files that people edit: read, and refused in one line where they are wrong."""
