"""What is done in an Unleash server on behalf of operators, and what was done there by others."""
