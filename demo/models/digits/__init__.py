"""Which digit is on an image of 8×8 grey values? A deliberately weak model, so that some answers are doubtful."""
