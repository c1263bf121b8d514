// The content of the first tab of both pages.

export const examples = `# Welcome to Souk.
#
# Place the cursor in an operation and press Ctrl-Enter to run it.
# Press Ctrl-Space to complete names. The Docs panel describes them.

# 1. List products. No login is needed.
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
#    All further requests are sent as this user.
`;
