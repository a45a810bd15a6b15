"""What is asked: doses, resonators, arms, and tables of your own."""
