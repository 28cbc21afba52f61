"""Classifiers of crops: systems that train them from few labels, and what they answer."""
