/**
 * <details class="menu"> behave like menus: one open at a time, closed by a choice, by Escape or by a press anywhere else.
 */

/** @param {Iterable<HTMLDetailsElement>} menus */
export function behaveLikeMenus(menus) {
  const all = [...menus];
  /** @param {HTMLDetailsElement} menu */
  const close = (menu) => {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  };
  for (const menu of all) {
    menu.addEventListener("click", ({ target }) => target instanceof HTMLButtonElement && close(menu));
  }
  document.addEventListener("pointerdown", (event) => {
    for (const menu of all) if (!event.composedPath().includes(menu)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = all.find((menu) => menu.open);
    if (event.key === "Escape" && open) close(open);
  });
}
