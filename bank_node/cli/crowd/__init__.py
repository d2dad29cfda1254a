"""`bank simulate`: a crowd that registers, pays and is audited; what it does, hears and is told."""
