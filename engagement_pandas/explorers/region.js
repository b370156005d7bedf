// The element stays while its content is replaced at once, so that the page does not flicker or
// jump, and screen readers announce the change.
export default {
  render({ model, el }) {
    const root = document.createElement("div");
    root.innerHTML = model.get("shell");
    const slot = root.querySelector("[data-slot]") ?? root;
    const setAttribute = (name, value) =>
      value ? root.setAttribute(name, value) : root.removeAttribute(name);
    const fill = () => { slot.innerHTML = model.get("html"); };
    const update = () => {
      setAttribute("role", model.get("role"));
      setAttribute("aria-label", model.get("label"));
      setAttribute("aria-busy", model.get("busy") && "true");
      setAttribute("tabindex", model.get("reachable") && "0");
      root.toggleAttribute("data-stale", model.get("stale"));
    };
    root.className = "engagement-region";
    update();
    fill();
    el.append(root);
    model.on("change:html", fill);
    for (const name of ["role", "label", "busy", "reachable", "stale"]) model.on(`change:${name}`, update);
  },
};
