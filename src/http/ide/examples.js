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
