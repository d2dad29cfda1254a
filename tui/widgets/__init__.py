"""The house's widgets: each wraps a base widget once, with its look and its way to stay safe."""
