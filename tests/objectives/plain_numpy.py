"""Pieces of the papers' formulas in plain numpy, and batches to try them on."""

import numpy as np
import torch


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def cross_entropy(s, y):
    p = sigmoid(s)
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def labelled_term(positives, negatives):
    return np.mean(np.r_[cross_entropy(positives, 1), cross_entropy(negatives, 0)])


def draw(n_positives, n_negatives, n_unlabelled, seed=0, shift=0.0):
    """Return the logits of each group."""
    rng = np.random.default_rng(seed)
    return [rng.normal(shift, 2, n) for n in (n_positives, n_negatives, n_unlabelled)]


def value(objective, groups):
    """Return the total of an objective on shuffled groups, in float64."""
    logits = np.concatenate(groups)
    labels = np.repeat(np.array([1, 0, -1], dtype=np.int8), [len(group) for group in groups])
    order = np.random.default_rng(1).permutation(len(logits))
    loss = objective(torch.from_numpy(logits[order]), torch.from_numpy(labels[order]))
    return loss.total.item()
