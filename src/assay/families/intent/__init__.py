"""The family ``intent``: which action does a request ask for, if any?"""
