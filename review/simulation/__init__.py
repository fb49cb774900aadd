"""What a change of flags or policy would have done to recorded traffic, told before it is made."""
