//! The fields of the schema that return an object, and which of them a document selects.

use std::collections::{BTreeSet, HashMap};

use async_graphql::parser::{
    parse_schema,
    types::{Selection, SelectionSet, TypeKind, TypeSystemDefinition},
};

/// For each type, its fields that return an object, an interface or a union; and the possible types of each abstract
/// type.
pub struct ObjectFields(HashMap<String, HashMap<String, String>>, HashMap<String, Vec<String>>);

impl ObjectFields {
    /// Reads the fields from a schema.
    pub fn from_sdl(sdl: &str) -> Self {
        let (mut fields, mut members) = (HashMap::new(), HashMap::<String, Vec<String>>::new());
        for definition in parse_schema(sdl).expect("SDL").definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node.to_string();
            let of = match ty.node.kind {
                TypeKind::Object(object) => {
                    for interface in object.implements {
                        members.entry(interface.node.to_string()).or_default().push(name.clone());
                    }
                    object.fields
                }
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::Union(union) => {
                    members.insert(name.clone(), union.members.iter().map(|member| member.node.to_string()).collect());
                    Vec::new()
                }
                _ => continue,
            };
            let base = |ty: String| ty.trim_matches(['[', ']', '!']).to_owned();
            let of =
                of.into_iter().map(|field| (field.node.name.node.to_string(), base(field.node.ty.node.to_string())));
            fields.insert(name, of.collect::<HashMap<_, _>>());
        }
        let composite: BTreeSet<String> = fields.keys().cloned().collect();
        for of in fields.values_mut() {
            of.retain(|_, ty| composite.contains(ty));
        }
        Self(fields, members)
    }

    /// Returns every edge that a query can reach.
    pub fn reachable_from(&self, root: &str) -> BTreeSet<String> {
        let (mut edges, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![root.to_owned()]);
        while let Some(ty) = next.pop() {
            if seen.insert(ty.clone()) {
                next.extend(self.1.get(&ty).into_iter().flatten().cloned());
                for (field, target) in &self.0[&ty] {
                    edges.insert(format!("{ty}.{field}"));
                    next.push(target.clone());
                }
            }
        }
        edges
    }

    /// Adds the edges that a selection takes.
    pub fn collect_edges(&self, ty: &str, set: &SelectionSet, edges: &mut BTreeSet<String>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    if let Some(target) = self.0[ty].get(name) {
                        edges.insert(format!("{ty}.{name}"));
                        self.collect_edges(target, &field.node.selection_set.node, edges);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                    self.collect_edges(on, &inline.node.selection_set.node, edges);
                }
                Selection::FragmentSpread(_) => panic!("named fragments are not supported here"),
            }
        }
    }
}
