// The documents that several tests send.

export const PRODUCT = `query Product($id: ID!) {
  product(id: $id) { id name tags price { amount currency } }
}`;
export const UPDATE = `mutation Update($input: ProductUpdateInput!) {
  productUpdate(input: $input) { product { id name } userErrors { code message field } }
}`;
export const PRODUCTS = `query Products($first: Int!, $after: String) {
  products(first: $first, after: $after, where: { isActive: true }) {
    edges { cursor node { id name } }
    pageInfo { hasNextPage endCursor }
  }
}`;
export const CHANGES = `subscription Changes($after: String, $id: ID) {
  productChanged(after: $after, id: $id) { product { id name } kind cursor }
}`;
export const STOCK = `subscription Stock($product: ID) {
  stockChanged(product: $product) { product { id availability stock } cursor }
}`;
