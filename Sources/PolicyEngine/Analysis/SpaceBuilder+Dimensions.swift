internal import Core

extension SpaceBuilder {
  /// One choice, after those that it needs.
  func dimension(_ subject: Subject, _ principals: Int, _ levels: [Subject: Int], _ done: [Dimension]) -> Dimension {
    func need(_ path: ExactPath, _ isMeant: (ValueDomain.Region) -> Bool) -> [(level: Int, regions: Set<Int>)] {
      guard let level = levels[.value(path)], let domain = done[level].domain else { return [] }
      return done[level].needs + [(level, domain.places(isMeant))]
    }
    switch subject {
    case .implied, .allowance: return Dimension(subject: subject, size: 2)
    case .principal: return Dimension(subject: subject, size: principals)
    case .role(let role): return Dimension(subject: subject, size: 2, text: "\(ValueDomain.quoted(role.string)) in principal.roles")
    case .value(let path):
      let domain = domain(path)
      let isPart = ["step", "requester"].contains(path.root) && path.names.last != "id"
      let container: ValueDomain.Region = path.names.last == ExactPath.size ? .list : .object
      let needs = isPart ? need(ExactPath([path.root, "id"])) { $0 != .missing } : path.parent.map { need($0) { $0 == container } } ?? []
      // How many members a list has, and which, are not independent.
      let isOpaque = container == .list && path.parent.map { searchedLists.contains($0) } ?? false
      return Dimension(
        subject: subject, size: domain.regions.count, domain: domain, text: path.text, needs: needs, isOpaque: isOpaque)
    case .member(let path, let text):
      let needs = path.root == "requester" ? need(ExactPath(["requester", "id"])) { $0 != .missing } : need(path) { $0 == .list }
      return Dimension(subject: subject, size: 2, text: "\(ValueDomain.quoted(text.string)) in \(path.text)", needs: needs)
    case .search(let path, let search):
      let isOpaque = pairs.contains { $0.0 == path || $0.1 == path } || TextSearch.texts(for: searches[path] ?? [], apartFrom: []) == nil
      return Dimension(
        subject: subject, size: 2, text: "\(path.text).\(search.kind.rawValue)(\(ValueDomain.quoted(search.part.string)))",
        needs: need(path, \.isText), isOpaque: isOpaque)
    case .same(let a, let b):
      return Dimension(
        subject: subject, size: 2, text: "\(a.text) == \(b.text)", needs: need(a) { $0 != .missing } + need(b) { $0 != .missing },
        isOpaque: circles.contains(subject))
    case .opaque(let text): return Dimension(subject: subject, size: 3, text: text.string, isOpaque: true, reads: opaque[text] ?? [])
    }
  }

  private func domain(_ path: ExactPath) -> ValueDomain {
    let known = constants[path] ?? ValueDomain.Constants()
    let isOptional =
      switch path.root {
      case "now", "tool": false
      case "args" where path.names.count == 2:
        !(tool.schema?["required"]?.arrayValue ?? []).contains { $0.stringValue.map { bytesEqual($0, path.names[1]) } ?? false }
      default: path.names != ["step", "iteration"] && path.names.last != ExactPath.size
      }
    let minimum: Double? = path.names.last == ExactPath.size ? 0 : path.names == ["step", "iteration"] ? 1 : nil
    return ValueDomain(path.text, type(of: path), known, choices: choices(path), isOptional: isOptional, minimum: minimum)
  }
}
