"""Three models made on this machine in seconds: sentences, digits and mortgage applications."""
