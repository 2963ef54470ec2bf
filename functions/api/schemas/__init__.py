"""Request and response models of the API, by what they are about."""
