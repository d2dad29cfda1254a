"""Business between banks: transfers, payments and the robbery planner."""
