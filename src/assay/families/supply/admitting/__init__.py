"""What is let in: files of known formats, by what they hold; nothing that runs code when it is read."""
