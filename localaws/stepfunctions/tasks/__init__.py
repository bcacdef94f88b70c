"""What a Task state may call: Lambda functions, optimised integrations, any operation of an AWS SDK."""
