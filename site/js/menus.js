/**
 * <details class="menu"> behave like menus: one open at a time, closed by Escape or a press anywhere else.
 */

/** @param {Iterable<HTMLDetailsElement>} menus */
export function behaveLikeMenus(menus) {
  const all = [...menus];
  document.addEventListener("pointerdown", (event) => {
    for (const menu of all) if (!event.composedPath().includes(menu)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = all.find((menu) => menu.open);
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  });
}
