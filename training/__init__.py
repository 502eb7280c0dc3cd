"""From books to weights: corpus, dataset, trainer, checkpoints, evaluation, plots."""
