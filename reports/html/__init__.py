"""The readable report inside the bag: static pages, no script from evidence, nothing loaded from anywhere else."""
