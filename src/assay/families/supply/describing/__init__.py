"""What a model file says of the model in it, put into the same words for every format."""
