"""The screens, each with its style sheet beside it; a screen is loaded when it is first shown."""
