"""Is a sentence of a product review negative, neutral or positive? The lead case: people differ about it too."""
