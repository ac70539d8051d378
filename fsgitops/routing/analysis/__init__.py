"""What is wrong with a whole dialplan: rules that look at every context, after preprocessing."""
