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

# 2. Log in as a customer of the demo market (\`souk serve --demo\`).
#    The other demo logins are manager@souk.example, seller@souk.example
#    and admin@souk.example, with passwords such as demo-admin-2026.
mutation LogIn {
  login(input: {
    email: "customer@souk.example"
    password: "demo-customer-2026"
  }) {
    accessToken
    userErrors { code message field }
  }
}

# 3. Copy the accessToken into the Headers editor below:
#
#    { "Authorization": "Bearer <accessToken>" }
#
#    Requests are then sent as this customer.
query Me {
  me { name email orders(first: 3) { nodes { orderNumber status } } }
}
`;
