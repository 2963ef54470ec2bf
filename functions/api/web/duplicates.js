export const load = async () => {};
export const find = () => null;
