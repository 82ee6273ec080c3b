"""What tests share: cells, exact solutions, configurations, copies of the project."""
