"""What ministack's DynamoDB lacks: point in time, exports, imports, capacity."""
