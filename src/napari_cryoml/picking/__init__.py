"""From score maps to picks: dense scores, peaks, baselines, and the jobs around them."""
