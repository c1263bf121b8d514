// What the first tab of both pages starts with.

export const examples = `# Welcome to Souk.
#
# Cursor into an operation, then Ctrl-Enter runs it.
# Ctrl-Space completes names, Docs explains them.

# 1. Anyone may browse.
query Products {
  products(first: 5) {
    nodes {
      id
      name
      price { amount currency }
      availability
      category { name }
    }
  }
}

# 2. Log in.
mutation LogIn {
  login(input: {
    email: "you@example.com"
    password: "your password"
  }) {
    accessToken
    userErrors { code message field }
  }
}

# 3. Copy the accessToken into the Headers editor below:
#
#    { "Authorization": "Bearer <accessToken>" }
#
#    From then on you are yourself.
`;
