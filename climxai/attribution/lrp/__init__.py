"""Layer-wise relevance propagation: rules, operators, conventions, rule maps, engine, audit."""
