"""Money and its durable history: pure rules, hashed blocks, one writer, interchangeable stores."""
